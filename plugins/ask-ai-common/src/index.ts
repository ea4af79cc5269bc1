/**
 * What a browser or another plugin may know of ask-ai: the shapes of its HTTP API, its permissions
 * and a client.
 *
 * @packageDocumentation
 */
export * from './AskAiClient';
export * from './api';
export * from './documents';
export * from './permissions';
export * from './vectorIndex';
