import pytest

from wwn_server.addresses import is_redirect_uri, is_web_page


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/callback",
        "https://my.home-assistant.io/redirect/oauth?a=b",
        "http://localhost",
        "http://LOCALHOST:8123/x",
        "http://127.0.0.1:8123/auth/external/callback",
        "http://127.1.2.3/",
        "http://10.0.0.5/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.20:8123/",
        "http://169.254.10.10/",
        "http://100.64.0.1/",
        "http://100.127.255.255/",
        "http://[::1]:8123/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://[::ffff:192.168.1.1]/",
        "http://homeassistant:8123/",
        "http://homeassistant.local:8123/",
        "http://hub.lan/",
        "http://hub.internal/",
        "http://hub.home.arpa/",
        "http://hub.local./",
    ],
)
def test_a_code_may_be_sent_by_https_or_within_the_local_network(url: str) -> None:
    assert is_redirect_uri(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/callback",
        "example.com/callback",
        "http://example.com/",
        "http://8.8.8.8/",
        "http://172.32.0.1/",
        "http://100.128.0.1/",
        "http://192.0.2.1/",
        "http://0.0.0.0/",
        "http://[2001:db8::1]/",
        "http://[::ffff:8.8.8.8]/",
        "http://[fe80::1%25eth0]/",
        "http://134744072/",
        "http://0x08080808/",
        "http://127.1/",
        "http://010.0.0.1/",
        "http://evil.com.0x7f/",
        "http://user@localhost/",
        "http://user:password@localhost/",
        "https://@example.com/",
        "https://example.com/#fragment",
        "https://example.com/#",
        "https://example.com\\@localhost/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://exämple.com/",
        "http://evil。com/",
        "https://",
        "https://:443/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://-example.com/",
        "ftp://localhost/",
        "javascript:alert(1)",
        "custom-scheme://callback",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_a_code_is_sent_nowhere_else(url: str) -> None:
    assert not is_redirect_uri(url)


@pytest.mark.parametrize("url", ["https://a.example/privacy", "http://a.example/p#data", "http://hub.local/"])
def test_a_privacy_policy_is_a_page_of_the_web(url: str) -> None:
    assert is_web_page(url)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//a.example", "https://a@b/", "https://a/#b#c", "https://a/#b c"]
)
def test_nothing_else_becomes_a_link_on_a_page(url: str) -> None:
    assert not is_web_page(url)
