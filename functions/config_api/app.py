"""The config API: connectors, devices, projects and tokens over REST.

Serves every request to the HTTP API that does not publish events, including unknown paths.
"""

from dataconnectors.aws import coldstart

coldstart.begin()

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.logging import Logger
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.api import (
    attempts,
    audit,
    connectors,
    console,
    deliveries,
    devices,
    error_page,
    errors,
    expired,
    gaps,
    health,
    history,
    invitations,
    labels,
    members,
    methods,
    organizations,
    projects,
    reference,
    replays,
    roles,
    serviceaccounts,
    sync,
    tokens,
    tryouts,
)
from dataconnectors.aws import gateway
from dataconnectors.aws.clients import MAXIMUM_CONNECTIONS, Clients
from dataconnectors.aws.settings import ApiSettings
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.endpoints.addresses import check_url
from dataconnectors.identity.access import Access
from dataconnectors.identity.authentication import Authenticator
from dataconnectors.identity.signing_keys import SigningKeys
from dataconnectors.identity.throttle import Throttle
from dataconnectors.identity.token_exchange import TokenExchange
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.kernel.errors import DataConnectorsError
from dataconnectors.replay.waiting_runs import WaitingRuns
from dataconnectors.services.attempts import AttemptService
from dataconnectors.services.connectors import ConnectorService
from dataconnectors.services.deliveries import DeliveryService
from dataconnectors.services.device_lists import DeviceListService
from dataconnectors.services.devices import DeviceService
from dataconnectors.services.event_finder import EventFinder
from dataconnectors.services.explanations import ExplanationService
from dataconnectors.services.gaps import GapService
from dataconnectors.services.health import HealthService
from dataconnectors.services.labels import LabelService
from dataconnectors.services.members import MemberService
from dataconnectors.services.people import PeopleService
from dataconnectors.services.projects import ProjectService
from dataconnectors.services.replays import ReplayService
from dataconnectors.services.serviceaccounts import ServiceAccountService
from dataconnectors.services.sync import SyncService
from dataconnectors.services.timelines import TimelineService
from dataconnectors.services.tryouts import TryOutService
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.attempt_counts import AttemptCountStore
from dataconnectors.store.attempts import AttemptStore
from dataconnectors.store.audit import AuditStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.expired_events import ExpiredEventStore
from dataconnectors.store.history import HistoryStore
from dataconnectors.store.members import MemberStore
from dataconnectors.store.plain_json import use_plain_json
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.replays import ReplayStore
from dataconnectors.store.request_counts import RequestCountStore
from dataconnectors.store.signing_keys import SigningKeyStore
from dataconnectors.store.table import Table
from dataconnectors.store.tryouts import TryOutStore

# --- AWS

settings = ApiSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
functions = clients.lazy("lambda")
sqs = clients.lazy("sqs")
executor = ThreadPoolExecutor(MAXIMUM_CONNECTIONS)
vault = Vault(clients.get("kms"), settings.kms_key_arn)

# --- Rows

table = Table(use_plain_json(clients.get("dynamodb")), settings.table_name)
account_rows = AccountStore(table)
connector_rows = ConnectorStore(table)
device_rows = DeviceStore(table)
member_rows = MemberStore(table)
project_rows = ProjectStore(table)
replay_rows = ReplayStore(table)
expired_events = ExpiredEventStore(table)
history_rows = HistoryStore(table)
request_counts = RequestCountStore(table)

# --- Who may do what

signing_keys = SigningKeys(SigningKeyStore(table), vault, entropy=os.urandom)
authenticator = Authenticator(account_rows, signing_keys, vault)
access = Access(authenticator, account_rows, entropy=os.urandom)
token_exchange = TokenExchange(
    authenticator, signing_keys, vault, audiences=settings.token_audiences
)
throttle = Throttle(request_counts, settings.request_limit, logger, now=time.time)

# --- What is done with each kind of resource


def provision(connector: Connector, sleep: Callable[[float], None] = time.sleep) -> Connector:
    """Make a connector's queue and event source mapping.

    What that takes is a twentieth of all imports. It is imported here, because few cold starts
    happen for a call that creates a connector.
    """
    from dataconnectors.provisioning.provisioner import Provisioner

    queues = Provisioner(sqs, functions, connector_rows, settings.queues, time.monotonic, sleep)
    return queues.provision(connector)


may_have_url = partial(check_url, allowed=settings.allowed_networks)
attempt_counts = AttemptCountStore(table)
connector_service = ConnectorService(
    connector_rows,
    vault,
    provision,
    may_have_url,
    attempt_counts,
    entropy=os.urandom,
    now=time.time,
)
health_service = HealthService(connector_rows, attempt_counts, sqs, executor.map, time.time)
attempt_service = AttemptService(
    AttemptStore(table), connector_rows, settings.attempt_log, executor.map, time.time
)
timeline_service = TimelineService(connector_rows, attempt_counts, executor.map, time.time)
sync_service = SyncService(connector_rows, functions, settings.sync_function)
replay_service = ReplayService(
    replay_rows,
    connector_rows,
    WaitingRuns(replay_rows, functions, settings.replays.function, settings.replays.concurrency),
    keeps_history=settings.keep_history,
    entropy=os.urandom,
    now=time.time,
)
event_finder = EventFinder(
    history_rows,
    device_rows,
    project_rows,
    executor.map,
    keeps_history=settings.keep_history,
    now=time.time,
)
delivery_service = DeliveryService(
    connector_rows,
    device_rows,
    event_finder,
    ConnectorQueues(sqs, executor),
    vault,
    request_counts,
    may_have_url,
    logs_attempts=LogMode(settings.attempt_log.mode) is not LogMode.OFF,
    entropy=os.urandom,
    now=time.time,
)
explanation_service = ExplanationService(
    connector_rows,
    event_finder,
    AttemptStore(table),
    expired_events,
    AuditStore(table),
    LogMode(settings.attempt_log.mode),
    time.time,
)
gap_service = GapService(expired_events, connector_rows, keeps_history=settings.keep_history)
try_out_service = TryOutService(
    TryOutStore(table), is_on=settings.try_out, entropy=os.urandom, now=time.time
)
device_service = DeviceService(device_rows, entropy=os.urandom, now=time.time)
device_list_service = DeviceListService(device_rows, project_rows, executor)
label_service = LabelService(device_rows, executor, now=time.time)
member_service = MemberService(member_rows, account_rows)
people_service = PeopleService(member_rows, signing_keys, time.time)
account_service = ServiceAccountService(account_rows, member_service, vault, entropy=os.urandom)
project_service = ProjectService(
    project_rows,
    connector_rows,
    account_rows,
    member_rows,
    member_service,
    access,
    entropy=os.urandom,
)

# --- Routes

app = APIGatewayHttpResolver()
errors.answer_errors(app, logger)
methods.check_verbs(app)
for router in (
    tokens.routes(token_exchange),
    tokens.people_routes(people_service, access),
    projects.routes(project_service, access),
    members.project_routes(member_service, access),
    members.organization_routes(member_service, access),
    invitations.routes(people_sign_in=settings.people_sign_in),
    organizations.routes(access),
    roles.routes(access),
    serviceaccounts.routes(account_service, access),
    audit.routes(AuditStore(table), access),
    # Before connectors, whose <connector> matches a verb too
    sync.routes(sync_service, access),
    health.routes(health_service, access),
    attempts.routes(attempt_service, timeline_service, access),
    replays.routes(replay_service, access),
    deliveries.routes(delivery_service, explanation_service, access),
    connectors.routes(connector_service, access),
    expired.routes(expired_events, connector_rows, access, time.time),
    gaps.routes(gap_service, access, time.time),
    tryouts.routes(try_out_service, access),
    devices.routes(device_service, device_list_service, access, project_service.readable_ids),
    labels.routes(label_service, access),
    history.routes(history_rows, device_rows, access, time.time),
    error_page.routes(),
    reference.routes(),
    console.routes(),
):
    app.include_router(router)

coldstart.end()


def key_of(event: Mapping[str, Any]) -> str:
    """The id of the key, or of the person, that a request is counted for.

    "" when the credentials are refused or cannot be checked now: the routes answer both cases and
    say why.
    """
    try:
        return access.caller(gateway.headers(event)).counted_as
    except (DataConnectorsError, ClientError, BotoCoreError):
        return ""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Serve a request. Errors are answered as JSON too."""
    request = gateway.with_plain_path(event)
    return throttle.serve(request, key_of, lambda: app.resolve(request, context))
