"""TLS: verified, and within the deadline."""

import datetime
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from baselib.http import CallTimeoutError, ConnectFailedError, DependencyClient
from tests.baselib.http.conftest import Serve
from tests.baselib.http.scripted import Scripted, answer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `localhost`, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    """The server's side."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


def _client(server: Scripted, host: str = "localhost") -> DependencyClient:
    return DependencyClient("shop-stock", f"https://{host}:{server.port}")


def test_a_certificate_that_is_trusted_is_taken_and_the_connection_kept(
    serve: Serve, context: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server, _ = serve(answer(200, b"abc"), context=context)
    client = _client(server)
    body = b"x" * 1_000_000
    assert [client.put("/", body=body).content for _ in range(2)] == [b"abc"] * 2
    assert server.connections == 1
    assert server.requests[1].body == body
    client.close()


def test_one_that_nobody_vouches_for_is_refused(serve: Serve, context: ssl.SSLContext) -> None:
    server, _ = serve(context=context)
    with pytest.raises(ConnectFailedError, match=r"^shop-stock: its certificate is not valid \(self.signed"):
        _client(server).get("/")
    assert server.requests == []


def test_one_for_another_name_is_refused(
    serve: Serve, context: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server, _ = serve(context=context)
    with pytest.raises(ConnectFailedError, match="its certificate is not valid"):
        _client(server, "127.0.0.1").get("/")


def test_a_handshake_and_a_trickle_keep_the_deadline(
    serve: Serve, context: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from baselib.http import transport  # noqa: PLC0415

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server, _ = serve(context=context)
    server.script(server.trickle([b"HTTP/1.1 200 OK\r\n\r\n", b"x"]))
    with pytest.raises(CallTimeoutError) as error:
        _client(server).get("/", timeout=2)
    assert error.value.answered
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    # It takes the connection, reads nothing and says nothing.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"https://localhost:{silent.getsockname()[1]}"
        with pytest.raises(ConnectFailedError, match="no connection in time"):
            DependencyClient("shop-stock", url).get("/")
