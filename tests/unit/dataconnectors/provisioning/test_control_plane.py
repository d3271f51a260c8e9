"""How the control plane reads listings of SQS and Lambda."""

from dataclasses import replace

from dataconnectors.provisioning.blueprint import Blueprint
from tests.support.control_plane import SENDER, SETTINGS
from tests.support.reconciled_stack import Stack


def test_listings_of_several_pages_are_read_to_the_end() -> None:
    stack = Stack(listing_lag=0.0)
    blueprint = Blueprint(SETTINGS)
    for number in range(1001):
        queue_id = f"{number:020}"
        queue = stack.plane.add_queue(
            blueprint.queue_name(queue_id), blueprint.tags("x"), blueprint.queue_attributes
        )
        if number < 101:
            wanted = blueprint.mapping_settings
            del wanted["FunctionName"]
            mapping = stack.plane.add_mapping(queue.arn, SENDER, **wanted)
            row = replace(stack.rows.create(f"c{number}"), queue_id=queue_id)
            stack.rows.put(row)
            stack.rows.set_ready(
                row,
                queue_url=queue.url,
                mapping_id=mapping.id,
                provisioned=blueprint.fingerprint,
            )
    stack.world.time.advance(60.0)
    stack.run(seconds=60.0)
    names = [name for name, _ in stack.world.calls]
    assert names.count("list_queues") == 2
    assert names.count("list_event_source_mappings") == 2
    assert "create_event_source_mapping" not in names
