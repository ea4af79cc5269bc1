/** Tells documents apart, as a key of maps and sets. */
export function documentName({ entityId, source }: { entityId: string; source: string }): string {
  return `${source} ${entityId}`;
}
