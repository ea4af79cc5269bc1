import { type LoadPackage, loadVendorLibrary } from './loadVendorLibrary';
import type { PasswordSource } from './PostgresCredentials';

const PACKAGE = 'google-auth-library';

/** All that a login to Cloud SQL needs. */
const SCOPE = 'https://www.googleapis.com/auth/sqlservice.login';

/** What is used of the package. */
interface GoogleAuthLibrary {
  GoogleAuth: new (options: {
    scopes: string[];
  }) => {
    getAccessToken(): Promise<string | null | undefined>;
  };
}

/** Tokens of the service account. The library keeps one until it is about to expire. */
export function googleTokens(load: LoadPackage): PasswordSource {
  let auth: Promise<InstanceType<GoogleAuthLibrary['GoogleAuth']>> | undefined;
  const openAuth = async () => {
    const { GoogleAuth } = await loadVendorLibrary<GoogleAuthLibrary>(PACKAGE, 'gcp', load);
    return new GoogleAuth({ scopes: [SCOPE] });
  };
  return async () => {
    auth ??= openAuth();
    auth.catch(() => {
      auth = undefined;
    });
    const token = await (await auth).getAccessToken();
    if (!token) {
      throw new Error('no token');
    }
    return token;
  };
}
