"""TLS to Redis: what redis-py 2.10.6 lacks on Python 3.12, and what Twisted needs."""

from __future__ import annotations

import ssl
from typing import Any

from redis.connection import Connection, SSLConnection


class TLSConnection(SSLConnection):
    """redis-py's connection by TLS, without ``ssl.wrap_socket``, which Python 3.12 removed.

    As there, the certificate of the server is looked at only with ``ssl_cert_reqs=required`` (or ``optional``).
    """

    def _connect(self) -> Any:
        context = ssl.create_default_context(cafile=self.ca_certs)
        verified = self.cert_reqs != ssl.CERT_NONE
        context.check_hostname = verified
        context.verify_mode = self.cert_reqs
        if self.certfile:
            context.load_cert_chain(self.certfile, self.keyfile)
        plain = Connection._connect(self)
        try:
            return context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def reactor_context(host: str, options: dict[str, Any]) -> Any:
    """Return the context for a connection of Twisted's reactor, from redis-py's connection arguments.

    Raises:
        ImportError: pyOpenSSL is not installed, which Twisted needs for TLS.
        OSError: a file cannot be read.
    """
    try:
        from OpenSSL import SSL
        from twisted.internet import ssl as twisted_ssl
    except ImportError as error:
        raise ImportError(
            f"TLS to Redis in an interface server needs pyOpenSSL and service-identity: {error}"
        ) from error
    verified = TLSConnection(**{key: value for key, value in options.items() if key.startswith("ssl_")}).cert_reqs
    own = None
    if options.get("ssl_certfile"):
        with open(options["ssl_certfile"], "rb") as certificate, open(options["ssl_keyfile"], "rb") as key:
            own = twisted_ssl.PrivateCertificate.loadPEM(certificate.read() + key.read())
    if verified == ssl.CERT_NONE:
        unverified = twisted_ssl.CertificateOptions(
            privateKey=own.privateKey.original if own else None,
            certificate=own.original if own else None,
            verify=False,
        )
        unverified.getContext().set_verify(SSL.VERIFY_NONE, lambda *args: True)
        return unverified
    authority = None
    if options.get("ssl_ca_certs"):
        with open(options["ssl_ca_certs"], "rb") as certificates:
            authority = twisted_ssl.Certificate.loadPEM(certificates.read())
    return twisted_ssl.optionsForClientTLS(host, trustRoot=authority, clientCertificate=own)
