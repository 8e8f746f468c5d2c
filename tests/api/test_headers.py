"""The security headers of responses, and requests from other origins."""

from __future__ import annotations

from tests.api.small_app import serving


async def test_every_response_has_the_security_headers() -> None:
    client = serving()
    for path, status in [("/greet", 405), ("/nowhere", 404), ("/fail/unexpected", 500)]:
        answer = await client.get(path)
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert not {"strict-transport-security", "access-control-allow-origin"} & set(answer.headers)


async def test_hsts_is_sent_if_the_public_url_is_https() -> None:
    async with serving(public_url="https://chat.example.org") as asked:
        assert (await asked.get("/nowhere")).headers["strict-transport-security"] == "max-age=31536000"


async def test_only_configured_origins_can_send_requests() -> None:
    ours, other = "https://tool.example.org", "https://evil.example"
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, idempotency-key",
    }
    async with serving(cors_origins=(ours,)) as asked:
        answer = await asked.options("/greet", headers={"origin": ours, **preflight})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ours)
        assert {"Authorization", "Idempotency-Key"} <= set(answer.headers["access-control-allow-headers"].split(", "))
        assert {"x-request-id", "content-security-policy"} <= set(answer.headers)
        assert (await asked.options("/greet", headers={"origin": other, **preflight})).status_code == 400
        for path in ("/fail/hidden", "/fail/unexpected"):
            allowed, refused = [await asked.get(path, headers={"origin": origin}) for origin in (ours, other)]
            assert (allowed.headers["access-control-allow-origin"], allowed.headers["vary"]) == (ours, "Origin")
            assert "X-Request-Id" in allowed.headers["access-control-expose-headers"]
            assert ("access-control-allow-origin" in refused.headers, refused.headers["vary"]) == (False, "Origin")


async def test_cookies_are_never_allowed_from_other_origins() -> None:
    for origins in (("*",), ("https://tool.example.org",)):
        async with serving(cors_origins=origins) as asked:
            headers = {"origin": "https://tool.example.org", "cookie": "a=b"}
            answers = [
                await asked.get("/fail/hidden", headers=headers),
                await asked.options("/greet", headers={**headers, "access-control-request-method": "POST"}),
            ]
        assert not any("access-control-allow-credentials" in answer.headers for answer in answers)
        assert {answer.headers["access-control-allow-origin"] for answer in answers} == set(origins)
