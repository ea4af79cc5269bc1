/** How a connection is encrypted and who is believed. Certificates and keys are PEM texts. */
export interface TlsOptions {
  /** Default: the system's authorities. */
  ca?: string;
  cert?: string;
  key?: string;
  /** `false` takes any certificate. Default `true`. */
  rejectUnauthorized?: boolean;
  /** The name in the server's certificate; the default is the host. */
  servername?: string;
  /** Compares the certificate with the name; the default is Node's comparison. */
  checkServerIdentity?: () => Error | undefined;
}
