import { type LoadPackage, loadVendorLibrary } from './loadVendorLibrary';
import type { PasswordSource } from './PostgresCredentials';

const PACKAGE = '@azure/identity';

/** What Azure Database for PostgreSQL wants tokens to be for. */
const SCOPE = 'https://ossrdbms-aad.database.windows.net/.default';

/** What is used of the package. */
interface IdentityLibrary {
  DefaultAzureCredential: new () => {
    getToken(scope: string): Promise<{ token: string } | null>;
  };
}

/** Tokens of Entra ID. The library keeps one until it is about to expire. */
export function azureTokens(load: LoadPackage): PasswordSource {
  let credential: Promise<InstanceType<IdentityLibrary['DefaultAzureCredential']>> | undefined;
  const openCredential = async () => {
    const library = await loadVendorLibrary<IdentityLibrary>(PACKAGE, 'azure', load);
    return new library.DefaultAzureCredential();
  };
  return async () => {
    credential ??= openCredential();
    credential.catch(() => {
      credential = undefined;
    });
    const token = await (await credential).getToken(SCOPE);
    if (!token) {
      throw new Error('no token');
    }
    return token.token;
  };
}
