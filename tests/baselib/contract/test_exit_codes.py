"""The exit codes of the contract."""

from baselib.contract import ExitCode


def test_the_exit_codes_are_those_of_the_contract() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "FINISHED": 0,
        "CRASHED": 70,
        "MEMORY": 75,
        "CONFIGURATION": 78,
    }
