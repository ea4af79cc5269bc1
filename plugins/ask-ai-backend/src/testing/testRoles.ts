import { randomBytes } from 'node:crypto';
import { query } from '../../../../tests/services/connect';

/** Roles of a test, which outlive its database unless they are dropped. */
export interface TestRoles<Name extends string> {
  /** As the server knows them. */
  names: Record<Name, string>;
  /** The database's URL for sessions that have given up their rights for those of a role. */
  urlOf(name: Name): string;
  /** With what they own and were granted in the database. */
  drop(): Promise<void>;
}

/** @param url - of the test's database. */
export async function createTestRoles<Name extends string>(
  url: string,
  ...names: Name[]
): Promise<TestRoles<Name>> {
  const suffix = randomBytes(4).toString('hex');
  const roles = Object.fromEntries(names.map(name => [name, `ask_ai_${name}_${suffix}`])) as Record<
    Name,
    string
  >;
  const all = Object.values<string>(roles);
  await query(url, ...all.map(role => `create role ${role}`));
  return {
    names: roles,
    urlOf: name => {
      const changed = new URL(url);
      changed.searchParams.set('options', `-c role=${roles[name]}`);
      return changed.href;
    },
    drop: async () => {
      await query(url, ...all.map(role => `drop owned by ${role} cascade`));
      await query(url, ...all.map(role => `drop role ${role}`));
    },
  };
}
