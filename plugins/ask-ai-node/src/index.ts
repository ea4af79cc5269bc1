/**
 * The ports of ask-ai: what a module of another package implements to bring its own embedding
 * model, language model, collector or vector store.
 *
 * @packageDocumentation
 */
export * from './collector';
export * from './extensionPoints';
export * from './models';
export * from './vectorStore';
