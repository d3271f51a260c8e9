"""Whether the stack's alarms exist, and whether somebody hears of them."""

from botocore.exceptions import BotoCoreError, ClientError

from ops.smoke.report import Report, one_line
from ops.smoke.target import Target

HEARD = "somebody hears of alarms"

ALARMS_PER_CALL = 100
"""AWS: a call of DescribeAlarms takes 100 names."""


def check_alarms(target: Target, report: Report) -> None:
    """Look at the alarms in CloudWatch, then at the topics that they tell."""
    names = list(target.resources("AWS::CloudWatch::Alarm").values())
    cloudwatch = target.session.client("cloudwatch")
    found = [
        alarm
        for start in range(0, len(names), ALARMS_PER_CALL)
        for alarm in cloudwatch.describe_alarms(AlarmNames=names[start : start + ALARMS_PER_CALL])[
            "MetricAlarms"
        ]
    ]
    report.judge("its alarms exist", bool(names) and len(found) == len(names), str(len(found)))
    ringing = sorted(each["AlarmName"] for each in found if each["StateValue"] == "ALARM")
    if ringing:
        report.say(f"note: in alarm now: {', '.join(ringing)}")
    topics = sorted({action for each in found for action in each.get("AlarmActions", ())})
    if not topics:
        report.add(HEARD, "not reachable", "AlarmTopicArn is empty: they change state only")
        return
    sns = target.session.client("sns")
    try:
        attributes = [sns.get_topic_attributes(TopicArn=each)["Attributes"] for each in topics]
    except (ClientError, BotoCoreError) as error:  # for one, the topic of another account
        report.add(HEARD, "not reachable", one_line(error))
        return
    heard = all(int(each.get("SubscriptionsConfirmed", 0)) > 0 for each in attributes)
    report.judge(HEARD, heard, ", ".join(topics))
