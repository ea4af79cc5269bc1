/** What Node.js' TLS and OpenSSL say; see "X509 certificate error codes" in Node's manual. */
const REMEDIES: Record<string, string> = {
  CERT_HAS_EXPIRED: "The server's certificate has expired: renew it there.",
  CERT_NOT_YET_VALID:
    "The server's certificate is not valid yet: check the clocks of both machines.",
  CERT_REVOKED: "The server's certificate was revoked: renew it there.",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "The server's certificate is for another host name: connect by a name that it holds, or give that name as ssl.servername.",
};

/** Nobody that is trusted signed the certificate. */
const UNTRUSTED = [
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
];

/** node-postgres' own, without a code. */
const NO_TLS = /server does not support SSL connections/;

/** PostgreSQL's refusal by pg_hba.conf. */
const NEEDS_TLS = /no encryption|SSL off/;
const NEEDS_CERTIFICATE = /requires a valid client certificate|certificate authentication failed/;

/** What to do about a failure of encryption; `undefined` for any other error. */
export function tlsRemedy({ code = '', message }: { code?: string; message: string }) {
  if (UNTRUSTED.includes(code)) {
    return "The server's certificate is not signed by an authority that is trusted: give the authority's certificate as ssl.ca.";
  }
  if (NO_TLS.test(message)) {
    return 'The server does not encrypt: turn ssl on there, or set ssl to false where the network is trusted.';
  }
  if (code === '28000' && NEEDS_TLS.test(message)) {
    return 'The server takes no connection without encryption from here: set ssl to true.';
  }
  if (NEEDS_CERTIFICATE.test(message) || /^ERR_SSL_.*(CERTIFICATE|ALERT_UNKNOWN_CA)/.test(code)) {
    return "The server wants a client's certificate that it trusts and that is for the role: check ssl.cert and ssl.key.";
  }
  if (/^ERR_OSSL_|^ERR_SSL_|^EPROTO$/.test(code)) {
    return 'The encryption failed: check ssl.ca, ssl.cert and ssl.key, which must be PEM texts that fit each other.';
  }
  return REMEDIES[code];
}
