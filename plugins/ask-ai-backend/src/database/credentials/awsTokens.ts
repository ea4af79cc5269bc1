import { type LoadPackage, loadVendorLibrary } from './loadVendorLibrary';
import type { LoginTarget, PasswordSource } from './PostgresCredentials';

const PACKAGE = '@aws-sdk/rds-signer';

/** What is used of the package. */
interface SignerLibrary {
  Signer: new (options: {
    hostname: string;
    port: number;
    username: string;
    region?: string;
  }) => { getAuthToken(): Promise<string> };
}

/**
 * A token is good for 15 minutes, or until the credentials that signed it expire, and the SDK takes new
 * ones 5 minutes before that: as long as that a token can be used again.
 */
const REUSE_MS = 4 * 60_000;

/** Tokens that are signed here, with the credentials that the SDK finds. */
export function awsTokens(
  { host = '', port = 5_432, user = '' }: LoginTarget,
  load: LoadPackage,
): PasswordSource {
  let signer: Promise<InstanceType<SignerLibrary['Signer']>> | undefined;
  let token: { value: string; until: number } | undefined;
  const openSigner = async () => {
    const { Signer } = await loadVendorLibrary<SignerLibrary>(PACKAGE, 'aws-iam', load);
    return new Signer({ hostname: host, port, username: user, region: regionOf(host) });
  };
  return async () => {
    if (!token || token.until <= Date.now()) {
      signer ??= openSigner();
      signer.catch(() => {
        signer = undefined;
      });
      const value = await (await signer).getAuthToken();
      token = { value, until: Date.now() + REUSE_MS };
    }
    return token.value;
  };
}

/** Names of RDS hold their region; for others the SDK looks for it, in AWS_REGION first. */
function regionOf(host: string): string | undefined {
  return /\.([a-z0-9-]+)\.rds\.amazonaws\.com(\.cn)?$/.exec(host)?.[1];
}
