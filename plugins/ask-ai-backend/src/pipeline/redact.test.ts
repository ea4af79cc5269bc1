import { describe, expect, it } from 'vitest';
import { createRedactor } from './redact';

/** Put together here, so that no scanner takes this file for a leak. */
const join = (...parts: string[]) => parts.join('');
const LETTERS = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0';

const SECRETS: [name: string, secret: string][] = [
  ['AWS access key id', join('AKIA', 'IOSFODNN7EXAMPLE')],
  ['AWS access key id', join('ASIA', 'Y34FZKBOKMUTVV7A')],
  ['GitHub token', join('ghp_', LETTERS.slice(0, 36))],
  ['GitHub token', join('ghs_', LETTERS.repeat(8))],
  ['GitHub token', join('ghs_', '12345_', LETTERS, '.', LETTERS, '.', LETTERS)],
  ['GitHub token', join('github_pat_', LETTERS.slice(0, 22), '_', LETTERS.slice(0, 30))],
  ['GitLab token', join('glpat-', LETTERS.slice(0, 20))],
  ['GitLab token', join('glpat-', LETTERS.repeat(8))],
  ['Slack token', join('xoxb-', '123456789012-abcdefghijkl')],
  ['npm token', join('npm_', LETTERS.slice(0, 36))],
  ['Stripe key', join('sk_live_', LETTERS.repeat(8))],
  ['Stripe key', join('sk_live_', LETTERS.slice(0, 24))],
  ['Google API key', join('AIza', LETTERS.slice(0, 35))],
  ['model API key', join('sk-proj-', LETTERS)],
  [
    'JSON Web Token',
    join('eyJhbGciOiJIUzI1NiJ9', '.', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', '.', LETTERS),
  ],
  [
    'private key',
    join(
      '-----BEGIN RSA ',
      'PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n',
      LETTERS,
      '\n-----END RSA ',
      'PRIVATE KEY-----',
    ),
  ],
];

/** The secret in its surroundings, which stay. */
const ASSIGNED: [name: string, before: string, secret: string, after: string][] = [
  ['AWS secret access key', 'aws_secret_access_key = ', LETTERS.slice(0, 40), '\n'],
  ['password in a URL', 'postgres://app:', 'h4rd-to-guess', '@db.example.com/app'],
  ['password in a URL', 'redis://:', 'h4rdtoguess', '@cache'],
  ['password in a URL', 'postgresql://app:', 'p@ssw0rd1', '@db/x'],
  ['password in a URL', 'amqps://app:', LETTERS.repeat(8), '@mq/x'],
  ['authorization header', 'Authorization: Bearer ', LETTERS, '\n'],
  ['assigned secret', 'password: ', 'tr0ub4dor&3xyz', '\n'],
  ['assigned secret', 'DB_PASSWORD=', 'Xk2!p9Qr7w', ' npm start'],
  ['assigned secret', 'clientSecret: "', 'a correct-1 (horse) B4ttery'.replace(/ /g, '_'), '",'],
  ['assigned secret', '"api_key": "', 'abcd1234efgh5678', '"'],
  ['assigned secret', "token = '", 'q8Zr1mVt3x', "'"],
  ['assigned secret', 'aws_session_token: "', LETTERS.repeat(8), '"'],
  ['assigned secret', 'aws_session_token: ', LETTERS.repeat(8), '\n'],
  ['assigned secret', '**Password:** `', 'Xk2!p9Qr7w', '`'],
  ['assigned secret', '**Password**: ', 'Xk2!p9Qr7w', '\n'],
  ['assigned secret', '**Password:** **', 'Xk2!p9Qr7w', ' **'],
  ['assigned secret', '__API key:__ ', 'Xk2!p9Qr7w', '\n'],
  ['assigned secret', '`password`: ', 'Xk2!p9Qr7w1', '\n'],
  ['assigned secret', '- **`DB_PASSWORD`**: ', 'Xk2!p9Qr7w1', '\n'],
  ['assigned secret', '-d "{\\"password\\": \\"', 'Xk2!p9Qr7w1\\', '"}"'],
  ['assigned secret', 'client_secret: |\n  ', 'Xk2p9Qr7w8zz', '\n'],
  ['assigned secret', 'client_secret: >-\r\n    ', 'Xk2p9Qr7w8zz', '\r\n'],
  ['assigned secret', ';AccountName=a;AccountKey=', join(LETTERS, LETTERS, '=='), ';'],
  ['assigned secret', '"AccountKey": "', join('/', LETTERS, '+', LETTERS, '=='), '"'],
  ['assigned secret', 'SECRET_KEY = ', 'Xk2p9Qr7w8zz', '\n'],
  ['assigned secret', '<password>', 'Xk2!p9Qr7w', '</password>'],
  ['assigned secret', '<db.password type="plain">', 'Xk2!p9Qr7w', '</db.password>'],
  ['assigned secret', '\\<password>', 'Xk2!p9Qr7w\\', '</password>'],
  ['assigned secret', '?api_key=example&password=', 'Xk2p9Qr7w8', '&page=1'],
  ['assigned secret', '?api_key=example&amp;password=', 'Xk2p9Qr7w8', '&amp;page=1'],
  ['assigned secret', '\n| Password | ', 'Xk2!p9Qr7w', ' |'],
  ['assigned secret', '\n| prod | **Password** | `', 'Xk2!p9Qr7w', '` | rotated |'],
  ['assigned secret', '\n> | DB password (prod) | never | ', 'Xk2!p9Qr7w', ' |'],
  ['assigned secret', '\n| User | Password |\n|---|:-:|\n| app | ', 'Xk2!p9Qr7w', ' |'],
  ['assigned secret', '\nPassword | User\n--- | ---\nnone | guest\n', 'Xk2!p9Qr7w', ' | app'],
  ['assigned secret', '\n user | password\n------+------\n app | ', 'Xk2p9Qr7w8', '\n'],
];

const ORDINARY = [
  join('password: $', '{POSTGRES_PASSWORD}'),
  'token: <your-token-1>',
  'api_key: xxxxxxxxxxxxxxxx1',
  'password: changeme1',
  'secret: registry-pull-secret-v2',
  'token: process.env.GITHUB_TOKEN_2',
  'apiKey: config.getString("app.key1")',
  'access_key: /run/secrets/key1',
  'password: postgres://localhost:5432',
  'secret: 2026-01-02T03:04',
  'token ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  'postgres://user:password@localhost/db',
  join('https://user:$', '{TOKEN}@example.com'),
  'The password is rotated, and the secret: it depends on the 2nd environment.',
  '**Password:** the one of section4, see below',
  join('**Password:** `$', '{DB_PASSWORD_1}`'),
  '<password>string</password> and <token>process.env.TOKEN_2</token>',
  '<your-token> | <password>',
  join('<password>$', '{env.PASSWORD_1}</password>'),
  'client_secret: |\n  <the-secret-of-step-2>',
  '?api_key=example1&password=changeme1',
  'postgres://user:password@localhost:5432/db@v1',
  '| password | string | The password of the user |',
  '| Token | Type |\n|---|---|\n| `OAuth2Token` | object |\n| UINT16_BE | 16 |',
  '| Secret | Used by |\n|---|---|\n| payments-db-v2-tls | ingress1-internal |',
  '| accessToken | [OAuth2Token](#oauth2token) | HS256,RS256,ES256 |',
  '| jsonwebtoken | ^9.0.2-beta1 | MIT |',
  '| Name | Password |\n|---|---|\n\n| app | Xk2!p9Qr7w |',
  'type A =\n  | "token"\n  | "Xk2p9Qr7w8"',
  'kubectl get secret | Xk2p9Qr7w8',
  'The token is valid for 3600 seconds, the password for 90 days.',
  'It begins with -----BEGIN PRIVATE KEY----- and goes on over several lines of Base64.',
  'commit ce2ebacdc4889d48059b59db721300d7f3d3b0ad',
  'integrity sha512-abc123def456ghi789==',
];

describe('createRedactor', () => {
  const { redact } = createRedactor();

  it.each(SECRETS)('takes out a %s (%#)', (name, secret) => {
    expect(redact(`before "${secret}" after`)).toEqual({
      text: `before "[redacted: ${name}]" after`,
      count: 1,
    });
  });

  it.each(ASSIGNED)('takes out a %s after %j', (name, before, secret, after) => {
    expect(redact(`x ${before}${secret}${after}`)).toEqual({
      text: `x ${before}[redacted: ${name}]${after}`,
      count: 1,
    });
  });

  it.each(ORDINARY)('leaves alone: %s', text => {
    expect(redact(text)).toEqual({ text, count: 0 });
  });

  it('counts every secret', () => {
    const key = join('AKIA', 'IOSFODNN7EXAMPLE');
    expect(redact(`${key} ${key}`).count).toBe(2);
  });

  it('takes out what is configured, and nothing else when told so', () => {
    const configured = createRedactor({
      builtIn: false,
      patterns: [{ name: 'ticket', regex: 'TICKET-(\\d+)' }],
    });
    const key = join('AKIA', 'IOSFODNN7EXAMPLE');
    expect(configured.redact(`TICKET-1, TICKET-22, ${key}`)).toEqual({
      text: `[redacted: ticket], [redacted: ticket], ${key}`,
      count: 2,
    });
  });

  it('has another fingerprint for other patterns', () => {
    const patterns = [{ name: 'ticket', regex: 'TICKET-\\d+' }];
    const fingerprints = [{}, { builtIn: false }, { patterns }].map(
      options => createRedactor(options).fingerprint,
    );
    expect(new Set(fingerprints).size).toBe(3);
    expect(createRedactor({ patterns }).fingerprint).toBe(fingerprints[2]);
  });

  it('takes time in proportion to the text', () => {
    const hard = [
      'a'.repeat(500_000),
      '-----BEGIN PRIVATE KEY-----'.repeat(20_000),
      `-----BEGIN PRIVATE KEY-----${'A'.repeat(500_000)}`,
      'eyJ'.repeat(150_000),
      'eyJaaaaaaaaaaaaa.'.repeat(30_000),
      'http://a:'.repeat(50_000),
      'password='.repeat(50_000),
      `password${' '.repeat(500_000)}`,
      'sk-'.repeat(150_000),
      '-eyJ'.repeat(125_000),
      'password=&'.repeat(50_000),
      `http://a:b${'@'.repeat(500_000)}`,
      `password="${'a'.repeat(500_000)}`,
      '<password>'.repeat(50_000),
      '|'.repeat(500_000),
      `| password | x\n${'|\n'.repeat(250_000)}${'-'.repeat(500_000)}a`,
    ];
    // A quadratic pattern would take minutes, so a bound of seconds can't fail by load.
    const start = performance.now();
    for (const text of hard) {
      redact(text);
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
