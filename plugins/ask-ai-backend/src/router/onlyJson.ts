import type { Request, RequestHandler } from 'express';
import { UnsupportedMediaTypeError } from '../errors';

/** Characters of a content type that a message repeats. */
const MAX_QUOTED_LENGTH = 100;

/** Refuses bodies that `express.json` does not read, which would be taken for none. */
export const onlyJson: RequestHandler = (request, _response, next) => {
  if (request.method === 'POST' && hasBody(request) && !request.is('application/json')) {
    const type = request.headers['content-type']?.slice(0, MAX_QUOTED_LENGTH) ?? 'none';
    throw new UnsupportedMediaTypeError(
      `Expected the body as JSON, with the header "Content-Type: application/json", got content type ${type}`,
    );
  }
  next();
};

/** Empty ones are none. */
function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
