import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors';
import { parseConnectionString } from './connectionString';
import { poolConfig } from './poolConfig';

const SECRET = 's3cret';

describe('parseConnectionString', () => {
  it.each([
    ['postgres://u:p@h:5433/db', { user: 'u', password: 'p', host: 'h', port: 5433 }],
    ['postgresql://u:a%40%2F%3F%23@h/db', { password: 'a@/?#', host: 'h', database: 'db' }],
    ['postgresql://u:a@b@h/db', { password: 'a@b', host: 'h' }],
    ['postgresql://u:p@[::1]:5433/db', { host: '::1', port: 5433 }],
    ['postgresql://u:p@/db?host=/run/postgresql', { host: '/run/postgresql', database: 'db' }],
    ['postgresql:///?host=h&port=5433&user=u&password=p&dbname=db', { host: 'h', database: 'db' }],
    ['socket:/run/postgresql?db=x', { host: '/run/postgresql', database: 'x' }],
    ['/run/postgresql x', { host: '/run/postgresql', database: 'x' }],
    ['postgresql://h/db?application_name=portal&connect_timeout=3', { applicationName: 'portal' }],
    ['postgresql://h/db?ssl=true', { ssl: true }],
    ['postgresql://h/db?ssl=1', { ssl: true }],
    ['postgresql://h/db?sslmode=require&channel_binding=require', { ssl: {} }],
    ['postgresql://h/db?pgbouncer=true&options=-c%20geqo%3Doff', { options: '-c geqo=off' }],
    ['postgresql://h/db?target_session_attrs=any&connection_limit=5', { database: 'db' }],
  ])('reads %s', (text, expected) => {
    expect(parseConnectionString(text)).toMatchObject(expected);
  });

  it.each([
    `host=db user=u password=${SECRET} dbname=x`,
    `h`,
    `bad url ${SECRET}`,
    `mysql://u:${SECRET}@h/db`,
    `u:${SECRET}@h/db`,
    `/run/postgresql dbname=x password=${SECRET}`,
    `postgresql://u:1/${SECRET}@h/db`,
    `postgresql://u:1?${SECRET}=@h/db`,
    `postgresql://u:1#${SECRET}@h/db`,
    `postgresql://u:a@b/${SECRET}@h/db`,
    `postgresql://u:${SECRET}@[h/db`,
    `postgresql://u:${SECRET}@one:5432,two:5432/db`,
  ])('refuses %s, shows nothing of it and tells the form', text => {
    const read = () => parseConnectionString(text);
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(/to be a URL such as postgresql:.*encode special characters/);
    expect(read).not.toThrow(new RegExp(`${SECRET}|mysql|one:`));
    expect(() => poolConfig({ connectionString: text })).toThrow(ConfigurationError);
  });

  it.each([
    ['one,two/db', 'one host'],
    ['h/db?port=abc', 'port is a number from 1 to 65535'],
    ['h/db?port=0', 'port is a number from 1 to 65535'],
    ['h/db?sslmode=verify-full&sslrootcert=%zz', 'sslrootcert is percent-encoded'],
    ['h/db?sslmode=REQUIRE', 'sslmode is one of'],
    ['h/db?ssl=on', 'ssl is true, false or no-verify'],
    ['h/db?connect_timeout=soon', 'connect_timeout is a number of seconds'],
    ['h/db?target_session_attrs=read-write', 'without this value of target_session_attrs'],
    ['h/db?sslmode=require&sslnegotiation=direct', 'without this value of sslnegotiation'],
    ['h/db?sslmode=require&sslcrl=/crl.pem', 'without this value of sslcrl'],
    ['h/db?schema=ask', 'set schema beside connectionString'],
    ['h/db?statement_timeout=5', 'set statementTimeoutMillis beside connectionString'],
    ['h/db?channel_binding=require', 'with sslmode=verify-full beside channel_binding'],
    ['h/db?sslmode=no-verify&channel_binding=require', 'with sslmode=verify-full'],
    [`h/db?${SECRET}`, 'parameters are name=value'],
  ])('refuses what it could not keep to in %s', (rest, problem) => {
    const read = () => parseConnectionString(`postgresql://u:${SECRET}@${rest}`);
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(problem);
    expect(read).not.toThrow(SECRET);
  });

  it('stands behind what is given beside it', () => {
    const connectionString = 'postgresql://h/db?application_name=portal&connect_timeout=3';
    expect(poolConfig({ connectionString })).toMatchObject({
      application_name: 'portal',
      connectionTimeoutMillis: 3_000,
    });
    expect(
      poolConfig({ connectionString, applicationName: 'own', connectionTimeoutMillis: 7 }),
    ).toMatchObject({ application_name: 'own', connectionTimeoutMillis: 7 });
    expect(poolConfig({ connectionString: 'postgresql://h/db' })).toMatchObject({
      application_name: 'ask-ai',
      connectionTimeoutMillis: 5_000,
    });
  });
});
