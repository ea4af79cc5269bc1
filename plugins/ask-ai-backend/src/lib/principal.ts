import type { BackstageCredentials } from '@backstage/backend-plugin-api';

/** The user that calls; `undefined` for a service that calls for itself. */
export function userOf({ principal }: BackstageCredentials): string | undefined {
  const { type, userEntityRef } = principal as { type?: string; userEntityRef?: string };
  return type === 'user' ? userEntityRef : undefined;
}

/** A user's entity reference, or a service's subject. */
export function principalName(credentials: BackstageCredentials): string | undefined {
  const { subject } = credentials.principal as { subject?: string };
  return userOf(credentials) ?? subject;
}
