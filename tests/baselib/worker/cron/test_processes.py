"""Jobs as processes: two at once, killed, stopped, stuck, and what is told before the end."""

import re
import signal

import pytest

from baselib.testing import EmbeddedAws, StatsdReceiver
from tests.baselib.processes import Program, alive, until
from tests.baselib.worker.cron.conftest import StartJob

FOREVER = "print('begun', run.token, flush=True)\ntime.sleep(600)"
AT_ONCE = "print('begun', run.token, flush=True)"


def _begun(program: Program) -> Program:
    program.ready(lambda: "begun" in program.output, "the run begins")
    return program


def test_a_run_is_skipped_while_another_one_goes_on(start_job: StartJob) -> None:
    first = _begun(start_job(FOREVER))
    second = start_job(AT_ONCE)
    assert second.wait() == 0
    (line,) = second.logged("cron skipped")
    assert f":{first.id}/" in line["holder"]
    assert line["held_since"].startswith("20")
    assert "begun" not in second.output
    # An alarm waits for this line, and nobody has finished.
    assert not second.logged("cron finished")


def test_a_skipped_run_is_counted_as_skipped(start_job: StartJob) -> None:
    _begun(start_job(FOREVER))
    with StatsdReceiver() as statsd:
        assert start_job(AT_ONCE, **statsd.environment).wait() == 0
        until(lambda: "duolingo.nightly.jobs:1|c|" in "\n".join(statsd.lines), "the count")
        lines = [line for line in statsd.lines if ".jobs" in line]
    assert len(lines) == 1
    assert "outcome:skipped" in lines[0]


def test_a_run_may_wait_for_the_end_of_another_one(start_job: StartJob) -> None:
    first = _begun(start_job("print('begun', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.01)"))
    second = start_job(AT_ONCE, 'overlap="wait"')
    second.ready(lambda: second.logged("the job waits for another run"), "it waits")
    (first._output.parent / "go").write_text("")
    assert (first.wait(), second.wait()) == (0, 0)
    assert len(second.logged("cron finished")) == 1


def test_a_run_waits_only_as_long_as_it_may(start_job: StartJob) -> None:
    _begun(start_job(FOREVER))
    second = start_job(AT_ONCE, 'overlap="wait", wait=0.2')
    assert second.wait() == 0
    assert len(second.logged("cron skipped")) == 1


def test_runs_that_may_overlap_do(start_job: StartJob) -> None:
    _begun(start_job(FOREVER))
    assert start_job(AT_ONCE, 'overlap="allow"').wait() == 0


def test_jobs_of_different_names_do_not_wait_for_each_other(start_job: StartJob) -> None:
    _begun(start_job(FOREVER))
    second = start_job(AT_ONCE, 'name="other"')
    assert second.wait() == 0
    assert second.logged("cron finished")[0]["span"] == "other"


def test_a_killed_run_leaves_no_lock_behind(start_job: StartJob) -> None:
    first = _begun(start_job(FOREVER))
    first.send(signal.SIGKILL)
    first.wait()
    second = start_job(AT_ONCE)
    assert second.wait() == 0
    assert (first.output.split("begun ")[1].split()[0], second.output.split("begun ")[1].split()[0]) == ("1", "2")


def test_in_a_table_too_only_one_runs_and_a_killed_one_frees_the_lock(
    start_job: StartJob, embedded_aws: EmbeddedAws, table: str
) -> None:
    environment = {**embedded_aws.environment, "COORDINATION_TABLE": table}
    first = _begun(start_job(FOREVER, "lease=3", **environment))
    second = start_job(AT_ONCE, "lease=3", **environment)
    assert second.wait() == 0
    assert f":{first.id}/" in second.logged("cron skipped")[0]["holder"]
    first.send(signal.SIGKILL)
    first.wait()
    third = start_job(AT_ONCE, 'lease=3, overlap="wait"', **environment)
    assert third.wait() == 0
    assert third.logged("cron finished")[0]["fence"] == 2


def test_a_lock_is_renewed_for_longer_than_its_lease(
    start_job: StartJob, embedded_aws: EmbeddedAws, table: str
) -> None:
    environment = {**embedded_aws.environment, "COORDINATION_TABLE": table}
    first = _begun(start_job(FOREVER, "lease=2", **environment))
    dynamodb = embedded_aws.client("dynamodb")
    key = {"key": {"S": "lock#duolingo-nightly#duolingo-nightly"}}

    def end() -> float:
        return float(dynamodb.get_item(TableName=table, Key=key)["Item"]["lease_until"]["N"])

    begun = end()
    first.ready(lambda: end() > begun + 2.5, "two leases")
    first.send(signal.SIGTERM)
    assert first.wait() == 70
    # Given back at once; the token stays, because it only grows.
    assert dynamodb.get_item(TableName=table, Key=key)["Item"].keys() == {"key", "token"}


def test_a_run_whose_lock_was_taken_is_stopped(start_job: StartJob, embedded_aws: EmbeddedAws, table: str) -> None:
    environment = {**embedded_aws.environment, "COORDINATION_TABLE": table}
    first = _begun(start_job(FOREVER, "lease=2", **environment))
    embedded_aws.client("dynamodb").update_item(
        TableName=table,
        Key={"key": {"S": "lock#duolingo-nightly#duolingo-nightly"}},
        UpdateExpression="SET #owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": "somebody else"}},
    )
    assert first.wait() == 70
    (line,) = first.logged("the job failed")
    assert line["error.type"].endswith("LockLostError")
    assert len(first.logged("cron failed")) == 1


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    try:\n        time.sleep(600)\n    except BaseException:\n        pass",
        # Never lets go of the interpreter, so that no thread and no signal handler of Python runs.
        "sum(itertools.repeat(1))",
    ],
)
def test_no_run_outlives_the_lock_that_it_could_not_renew(start_job: StartJob, table: str, body: str) -> None:
    # moto's servers in one process have the same tables.
    with EmbeddedAws() as own:
        environment = {**own.environment, "COORDINATION_TABLE": table}
        program = _begun(start_job(f"print('begun', flush=True)\n{body}", "lease=2", **environment))
    assert program.wait() == 70


def test_without_an_answer_of_the_table_nothing_runs(start_job: StartJob, embedded_aws: EmbeddedAws) -> None:
    program = start_job(AT_ONCE, **embedded_aws.environment, COORDINATION_TABLE="no-such-table")
    assert program.wait() == 70
    (line,) = program.logged("the job failed")
    assert "the table no-such-table did not say whether another run is going on" in line["error.message"]
    assert "begun" not in program.output


def test_a_deadline_ends_also_a_loop_that_survives_its_failures(start_job: StartJob) -> None:
    body = "while True:\n    try:\n        time.sleep(600)\n    except Exception:\n        pass"
    program = start_job(body, "deadline=0.3")
    assert program.wait() == 70
    assert program.logged("the job failed")[0]["error.type"].endswith("DeadlineExceededError")


STUBBORN = "while True:\n    try:\n        time.sleep(600)\n    except BaseException:\n        pass"


def test_what_does_not_let_itself_be_stopped_is_ended_with_last_words(start_job: StartJob) -> None:
    with StatsdReceiver() as statsd:
        program = start_job(STUBBORN, "deadline=0.3", STOP_SECONDS="1", **statsd.environment)
        assert program.wait() == 70
        until(lambda: [line for line in statsd.lines if "outcome:failed" in line], "the metrics")
    (line,) = program.logged("the job did not stop: ending the process")
    assert "time.sleep(600)" in line["stack"]
    assert "0.3 s" in line["reason"]
    assert len(program.logged("cron failed")) == 1
    # Given back, or the kernel did.
    assert start_job(AT_ONCE).wait() == 0


def test_sigterm_ends_also_what_does_not_let_itself_be_stopped(start_job: StartJob) -> None:
    program = start_job(f"print('begun', flush=True)\n{STUBBORN}", STOP_SECONDS="1")
    _begun(program).send(signal.SIGTERM)
    assert program.wait() == 70
    assert "SIGTERM" in program.logged("the job did not stop: ending the process")[0]["reason"]


def test_sigterm_is_heard_while_the_main_thread_hears_nothing(start_job: StartJob) -> None:
    # A C function that goes on when it is interrupted, and lets other threads run meanwhile.
    body = """
    import ctypes
    library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(128)
    library.pthread_mutex_lock(mutex)
    print("begun", flush=True)
    library.pthread_mutex_lock(mutex)
    """
    program = start_job(body, STOP_SECONDS="1")
    _begun(program).send(signal.SIGTERM)
    assert program.wait() == 70
    assert len(program.logged("cron failed")) == 1


def test_what_holds_the_interpreter_is_ended_too(start_job: StartJob) -> None:
    program = start_job("sum(itertools.repeat(1))", "deadline=0.3", STOP_SECONDS="1")
    assert program.wait() == 70
    # No Python runs any more; the stacks are written by C.
    assert re.search(r"job0\.py.*in work", program.errors)


def test_a_stopped_run_may_clean_up(start_job: StartJob) -> None:
    body = """
    print("begun", flush=True)
    try:
        time.sleep(600)
    finally:
        print("told", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.01)
        print("clean", flush=True)
    """
    program = _begun(start_job(body))
    program.send(signal.SIGTERM)
    # A second one changes nothing.
    program.ready(lambda: "told" in program.output, "it cleans up")
    program.send(signal.SIGTERM)
    (program._output.parent / "go").write_text("")
    assert program.wait() == 70
    assert "clean" in program.output


def test_a_run_that_was_stopped_and_says_nothing_of_it_has_not_finished(start_job: StartJob) -> None:
    body = "print('begun', flush=True)\ntry:\n    time.sleep(600)\nexcept BaseException:\n    pass"
    program = _begun(start_job(body))
    program.send(signal.SIGTERM)
    assert program.wait() == 70
    assert not program.logged("cron finished")


def test_a_signal_to_a_forked_child_is_none_to_the_job(start_job: StartJob) -> None:
    body = """
    child = os.fork()
    if child == 0:
        time.sleep(600)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    print("child", os.waitstatus_to_exitcode(status), flush=True)
    """
    program = start_job(body)
    assert program.wait() == 0
    assert "child -15" in program.output


def test_success_is_told_before_the_end(start_job: StartJob) -> None:
    with StatsdReceiver() as statsd:
        program = start_job(AT_ONCE, **statsd.environment)
        assert program.wait() == 0
        until(lambda: [line for line in statsd.lines if ".jobs.last_success:" in line], "the gauge")
        told = "\n".join(statsd.lines)
    assert re.search(r"jobs\.last_success:1\d{9}\|g\|#.*job:duolingo-nightly", told)
    assert "outcome:done" in told


def test_the_scheduled_time_comes_from_the_variable_or_the_command_line(start_job: StartJob) -> None:
    body = "print('until', run.until.isoformat(), flush=True)"
    variable = start_job(body, SCHEDULED_TIME="2026-01-01T18:00:00Z")
    assert variable.wait() == 0
    assert "until 2026-01-01T18:00:00+00:00" in variable.output
    option = start_job(body, command=("--scheduled-time", "2026-01-01T18:00:00+02:00"), SCHEDULED_TIME="nonsense")
    assert option.wait() == 0
    assert "until 2026-01-01T16:00:00+00:00" in option.output


@pytest.mark.parametrize("text", ["<aws.scheduler.scheduled-time>", "2026-01-01T18:00:00", "2999-01-01T00:00:00Z"])
def test_a_scheduled_time_that_is_none_is_a_configuration_error(start_job: StartJob, text: str) -> None:
    program = start_job(AT_ONCE, SCHEDULED_TIME=text)
    assert program.wait() == 78
    assert f"configuration error: SCHEDULED_TIME: '{text}' is" in program.errors


ON_ECS = {"ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:9/v4/x"}


@pytest.mark.parametrize("arguments", ['overlap="skip"', 'overlap="wait"', 'overlap="allow", catch_up="window"'])
def test_on_ecs_what_needs_a_table_says_so(start_job: StartJob, arguments: str) -> None:
    program = start_job(AT_ONCE, arguments, **ON_ECS)
    assert program.wait() == 78
    assert "configuration error: COORDINATION_TABLE is not set" in program.errors


def test_on_ecs_a_job_that_asks_for_nothing_runs_without_a_table(start_job: StartJob) -> None:
    program = start_job(AT_ONCE, **ON_ECS)
    assert program.wait() == 0
    assert len(program.logged("runs of this job may overlap: COORDINATION_TABLE is not set")) == 1
    assert not alive(program.id)
