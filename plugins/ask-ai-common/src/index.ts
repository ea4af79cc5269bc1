/**
 * What a browser or another plugin may know of ask-ai: the shapes of its HTTP API.
 *
 * @packageDocumentation
 */
export * from './api';
export * from './documents';
export * from './vectorIndex';
