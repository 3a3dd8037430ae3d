from tools.forms import parse_page

PAGE = """
<form method="post" action="/search"><input name="q" value="nest &amp; co"></form>
<p class="notice" role="alert">Wrong   name<br>or <b>password</b>.</p>
<form method="post" action="/sign-in">
  <input type="hidden" name="csrf" value="a&quot;b">
  <input name="username" autofocus>
  <input name="password" type="password" required>
  <input type="checkbox" name="stay" value="yes">
  <input type="checkbox" name="known" value="yes" checked>
  <button type="submit" name="decision" value="accept">Accept</button>
</form>
<input name="outside" value="1">
"""


def test_a_form_has_its_fields_as_a_browser_would_send_them() -> None:
    form = parse_page(PAGE).form("/sign-in")
    assert form is not None
    assert form.fields == {"csrf": 'a"b', "username": "", "password": "", "known": "yes"}


def test_forms_are_found_by_where_they_go() -> None:
    page = parse_page(PAGE)
    assert [form.action for form in page.forms] == ["/search", "/sign-in"]
    assert page.form("/elsewhere") is None


def test_alerts_are_read_as_one_line() -> None:
    assert parse_page(PAGE).alerts == ["Wrong name or password."]
