import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePlace } from './transferPlace';

describe('parsePlace', () => {
  const directory = tmpdir();

  it('takes other texts for files', () => {
    for (const file of ['backup.ndjson.gz', 'of=today/backup@home.ndjson', 'a b.ndjson']) {
      expect(parsePlace(file, directory)).toEqual({ kind: 'file', file: join(directory, file) });
    }
  });

  it.each([
    'host=db user=u password=s3cret dbname=x',
    "sslmode=require password = 's3cret'",
    'mysql://u:s3cret@h/db',
    'u:s3cret@h/db',
  ])('refuses the database %s, and does not repeat it', text => {
    const parse = () => parsePlace(text, directory);
    expect(parse).toThrow('a database is given as a URL');
    expect(parse).not.toThrow('s3cret');
  });
});
