import pytest

from tools.home_assistant_requirements import BEGIN, END, group, replaced, requirements
from tools.paths import PROJECT_FILE


def test_the_project_holds_what_the_installed_home_assistant_would_install() -> None:
    project = PROJECT_FILE.read_text()
    assert replaced(project, requirements()) == project, "run: python -m tools.home_assistant_requirements --write"


def test_only_the_group_is_replaced() -> None:
    project = f"before = 1\n{BEGIN}\nold = []\n{END}\nafter = 2\n"
    assert replaced(project, ["a==1", "b==2"]) == f"before = 1\n{group(['a==1', 'b==2'])}\nafter = 2\n"


def test_a_project_without_a_place_for_the_group_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        replaced("nothing = 1\n", [])
