import { ConfigurationError } from '../../errors';

/** Loads a package by its name. */
export type LoadPackage = (name: string) => Promise<unknown>;

export const importPackage: LoadPackage = name => import(/* @vite-ignore */ name);

/**
 * Loads a package that only those install who use it.
 *
 * @throws ConfigurationError with the command that installs it.
 */
export async function loadVendorLibrary<Library>(
  name: string,
  method: string,
  load: LoadPackage,
): Promise<Library> {
  try {
    return (await load(name)) as Library;
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    if (!/MODULE_NOT_FOUND$/.test(code ?? '') || !message?.includes(name)) {
      throw error;
    }
    throw new ConfigurationError([
      `auth is ${method}, and the package that gets its tokens is not installed: run npm install ${name} in the backend (with yarn: yarn workspace backend add ${name})`,
    ]);
  }
}
