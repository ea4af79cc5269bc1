import { z } from 'zod';

/** The object behind defaults, options and transformations; `undefined` for what is no object. */
export function objectIn(schema: unknown): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) {
    return schema;
  }
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return objectIn(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) {
    // A preprocessed schema has its object behind the transformation, a transformed one before it.
    return objectIn(schema.in) ?? objectIn(schema.out);
  }
  if (schema instanceof z.ZodArray) {
    return objectIn(schema.element);
  }
  if (schema instanceof z.ZodUnion) {
    return schema.options.map(objectIn).find(option => option !== undefined);
  }
  return undefined;
}

/** The keys that the object at `path` may have; positions in lists are skipped. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let current = objectIn(schema);
  for (const key of path) {
    if (typeof key === 'string') {
      current = objectIn(current?.shape[key]);
    }
  }
  return Object.keys(current?.shape ?? {});
}
