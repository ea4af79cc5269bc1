import { describe, expect, it } from 'vitest';
import { identifyTarget } from './poolConfig';

const PARTS = { host: 'db', port: 5433, database: 'ask', user: 'u', password: 'secret' };

describe('identifyTarget', () => {
  it.each([
    ['a URL', { connectionString: 'postgresql://u:secret@db:5433/ask' }],
    ['another password', { ...PARTS, password: 'new' }],
    ['a function that gives the password', { ...PARTS, password: async () => 'new' }],
    [
      'a host outside of the authority',
      { connectionString: 'postgresql://u:x@/ask?host=db&port=5433' },
    ],
    ['other limits', { ...PARTS, maxConnections: 2, statementTimeoutMillis: 5 }],
  ])('is the same for the same tables, given by %s', (_, options) => {
    expect(identifyTarget(options)).toBe(identifyTarget(PARTS));
  });

  it('is the same for every role that is sent to the same schema', () => {
    const schema = 'ask_ai';
    const another = identifyTarget({ ...PARTS, user: 'v', schema });
    expect(another).toBe(identifyTarget({ ...PARTS, schema }));
  });

  it('differs where the tables may differ, also in connection strings that are no URL', () => {
    const targets = [
      PARTS,
      { ...PARTS, host: 'db2' },
      { ...PARTS, port: 5434 },
      { ...PARTS, database: 'ask2' },
      { ...PARTS, user: 'v' },
      { ...PARTS, schema: 'one' },
      { ...PARTS, schema: 'two' },
      ...[
        'postgresql://u:secret@/one?host=/run/postgresql',
        'postgresql://u:secret@/two?host=/run/postgresql',
        'postgresql://u:secret@/two?host=/run/other',
        'postgresql://u:secret@/two?host=/run/other&options=-csearch_path%3Dx',
        '/run/sockets one',
        '/run/sockets two',
      ].map(connectionString => ({ connectionString })),
    ];
    expect(new Set(targets.map(identifyTarget)).size).toBe(targets.length);
  });

  it('refuses a connection string that the driver refuses', () => {
    expect(() =>
      identifyTarget({ connectionString: 'postgresql://one:5432,two:5432/db' }),
    ).toThrow();
  });

  it('gives away neither password nor address', () => {
    expect(identifyTarget(PARTS)).toMatch(/^[\w-]{43}$/);
  });
});
