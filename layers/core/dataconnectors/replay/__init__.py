"""Replay: sending a part of history once more to one connector, and the gaps that ask for it.

Start with `replay`: what a replay is, and how far it is. `replay_request` reads the call that
starts one. `pace` says how fast it may be, so that fresh events are never behind it. `waiting_runs`
starts the function that runs replays, also again after its process died. `gaps` makes gaps of the
records of expired events. The pace and all limits may be changed; the fields of a replay and of a
gap are public. This package imports `expiry`, `connectors`, `events` and `kernel`; protocols state
what it needs of the store. The run itself is in `ingest.replay`, because it makes messages as
ingest does.
"""
