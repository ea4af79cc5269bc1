import { readFile } from 'node:fs/promises';
import { ConfigurationError, VectorStoreUnavailableError } from '../../errors';
import { awsTokens } from './awsTokens';
import { azureTokens } from './azureTokens';
import { googleTokens } from './googleTokens';
import { importPackage } from './loadVendorLibrary';
import type {
  AuthMethod,
  LoginTarget,
  PasswordSource,
  PostgresCredentials,
} from './PostgresCredentials';

const REMEDY: Record<Exclude<AuthMethod, 'password'>, string> = {
  'aws-iam':
    'Check that the process has AWS credentials (role of the task, pod or instance) and that AWS_REGION is set.',
  azure:
    'Check the managed identity of the process, or AZURE_CLIENT_ID, AZURE_TENANT_ID and the secret.',
  gcp: 'Check the service account of the process, or GOOGLE_APPLICATION_CREDENTIALS.',
};

/**
 * Where the password comes from; `undefined` without one. Always a function: what pg is given as a text
 * would lie open in its objects, which errors refer to.
 */
export function passwordOf(
  { auth = 'password', password, passwordFile }: PostgresCredentials,
  target: LoginTarget,
  load = importPackage,
): PasswordSource | undefined {
  switch (auth) {
    case 'aws-iam':
      return explaining(auth, awsTokens(target, load));
    case 'azure':
      return explaining(auth, azureTokens(load));
    case 'gcp':
      return explaining(auth, googleTokens(load));
    default:
      if (passwordFile !== undefined) {
        return () => readPassword(passwordFile);
      }
      if (password === undefined || password === '') {
        return undefined;
      }
      return async () => (typeof password === 'function' ? password() : password);
  }
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new VectorStoreUnavailableError(
      `Could not read the password file ${file} (${code}). Check passwordFile, and that the process may read it.`,
    );
  }
}

/** Vendors' errors may hold requests with credentials, so nothing of them but the name goes on. */
function explaining(method: keyof typeof REMEDY, source: PasswordSource): PasswordSource {
  return async () => {
    try {
      return await source();
    } catch (error) {
      if (error instanceof ConfigurationError) {
        throw error;
      }
      const name = error instanceof Error ? error.name : typeof error;
      throw new VectorStoreUnavailableError(
        `Could not get a token for the database by ${method} (${name}). ${REMEDY[method]}`,
      );
    }
  };
}
