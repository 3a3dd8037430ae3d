from tools.home_assistant.log import complaints, secrets_in

NOTICE = (
    "2026-11-24 00:00:00.001 WARNING (SyncWorker_0) [homeassistant.loader] We found a custom integration "
    "works_with_nest which has not been tested by Home Assistant. This component might cause stability problems"
)
FINE = "2026-11-24 00:00:00.002 DEBUG (MainThread) [custom_components.works_with_nest] Finished fetching Home data"
OTHERS = "2026-11-24 00:00:00.003 ERROR (MainThread) [haffmpeg.core] FFmpeg fails"
OURS = "2026-11-24 00:00:00.004 ERROR (MainThread) [custom_components.works_with_nest] Unexpected error"
BEHIND = """\
2026-11-24 00:00:00.005 ERROR (MainThread) [homeassistant] Error doing job: Task exception was never retrieved
Traceback (most recent call last):
  File "custom_components/works_with_nest/coordinator.py", line 1, in x
KeyError"""
INSTALL = (
    "2026-11-24 00:00:00.006 INFO (SyncWorker_1) [homeassistant.util.package] Attempting install of PyTurboJPEG==1"
)


def log(*records: str) -> str:
    return "\n".join(records)


def test_what_names_us_is_found_with_all_its_lines() -> None:
    assert complaints(log(NOTICE, FINE, OURS, OTHERS, BEHIND, FINE)) == [OURS, BEHIND]


def test_the_standing_notice_and_the_faults_of_others_are_none() -> None:
    assert complaints(log(NOTICE, FINE, OTHERS)) == []


def test_a_package_installed_at_start_is_found() -> None:
    assert complaints(log(NOTICE, INSTALL, FINE)) == [INSTALL]


def test_secrets_are_counted() -> None:
    assert secrets_in("token=c.abc and more", ["c.abc", "c.def"]) == 1
