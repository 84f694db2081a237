"""Addresses that a webhook must not reach, in the forms in which they are hidden, and names for tests."""

from __future__ import annotations

PUBLIC = "93.184.216.34"
NAMES = {
    "public.example": [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946"],
    "localhost": ["127.0.0.1"],
    "intern.example": ["10.1.2.3"],
    "local.intern.example": ["fe80::1"],
    "mixed.example": [PUBLIC, "127.0.0.1"],
    "hooks.test": ["127.0.0.1"],
    "other.test": ["127.0.0.1"],
}
FORBIDDEN = {
    "loopback": "https://127.0.0.1/",
    "loopback, another": "https://127.8.9.10/",
    "loopback, v6": "https://[::1]/",
    "loopback, v6 in full": "https://[0:0:0:0:0:0:0:1]/",
    "loopback, mapped": "https://[::ffff:127.0.0.1]/",
    "loopback, mapped in hex": "https://[::ffff:7f00:1]/",
    "loopback, compatible": "https://[::127.0.0.1]/",
    "loopback, NAT64": "https://[64:ff9b::7f00:1]/",
    "loopback, 6to4": "https://[2002:7f00:1::]/",
    "decimal": "https://2130706433/",
    "octal": "https://0177.0.0.1/",
    "octal, one number": "https://017700000001/",
    "hexadecimal": "https://0x7f000001/",
    "hexadecimal, by byte": "https://0x7f.0x0.0x0.0x1/",
    "short": "https://127.1/",
    "trailing dot": "https://127.0.0.1./",
    "wide characters": "https://１２７.０.０.１/",
    "wide dots": "https://127。0。0。1/",
    "percent": "https://%31%32%37.0.0.1/",
    "cloud metadata": "https://169.254.169.254/latest/meta-data/",
    "10/8": "https://10.0.0.1/",
    "172.16/12": "https://172.31.255.254/",
    "192.168/16": "https://192.168.1.1/",
    "100.64/10": "https://100.64.0.1/",
    "fc00::/7": "https://[fc00::1]/",
    "fd00::/8": "https://[fd12:3456::1]/",
    "fe80::/10": "https://[fe80::1]/",
    "fe80::/10 with a zone": "https://[fe80::1%25lo]/",
    "0.0.0.0": "https://0.0.0.0/",
    "zero": "https://0/",
    "::": "https://[::]/",
    "multicast": "https://224.0.0.1/",
    "multicast, v6": "https://[ff02::1]/",
    "broadcast": "https://255.255.255.255/",
    "benchmarks": "https://198.18.0.1/",
    "localhost": "https://localhost/",
    "private name": "https://intern.example/",
    "private name, v6": "https://local.intern.example/",
    "name with one private address": "https://mixed.example/",
    "unknown name": "https://nowhere.example/",
    "userinfo": "https://public.example@127.0.0.1/",
    "userinfo before a public name": "https://user:word@public.example/",
    "backslash": "https://public.example\\@127.0.0.1/",
    "no encryption": "http://public.example/",
    "file": "file:///etc/passwd",
    "ftp": "ftp://public.example/",
    "gopher": "gopher://127.0.0.1:6379/_FLUSHALL",
    "no scheme": "//public.example/",
    "another port": "https://public.example:6379/",
    "port 0": "https://public.example:0/",
    "port out of range": "https://public.example:70000/",
    "fragment": "https://public.example/#@127.0.0.1/",
    "line break": "https://public.example/\r\nHost: 127.0.0.1",
    "tab": "https://127.0.0.1\t.public.example/",
    "empty host": "https:///x",
    "longer than 2048": "https://public.example/" + "x" * 2048,
}


def lookup(host: str, _port: int) -> list[str]:
    try:
        return NAMES[host]
    except KeyError:
        raise OSError(f"no address of {host}") from None
