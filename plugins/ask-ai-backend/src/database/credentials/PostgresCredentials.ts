/** By what a role proves who it is. */
export const AUTH_METHODS = ['password', 'aws-iam', 'azure', 'gcp'] as const;

export type AuthMethod = (typeof AUTH_METHODS)[number];

/** Who logs in. To log in as another, give these anew and the rest of the connection as it is. */
export interface PostgresCredentials {
  user?: string;
  /** A function is asked for every new connection: rotating credentials. */
  password?: string | (() => string | Promise<string>);
  /** Read for every new connection, without the line break at its end. */
  passwordFile?: string;
  /** Default `password`; the others get a token by the vendor's library for every new connection. */
  auth?: AuthMethod;
}

/** Asked for every new connection. */
export type PasswordSource = () => Promise<string>;

/** What a token is good for. */
export interface LoginTarget {
  host?: string;
  port?: number;
  user?: string;
}
