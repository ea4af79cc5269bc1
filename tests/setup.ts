import { vi } from 'vitest';

// @backstage/backend-test-utils calls `jest.fn`; its `afterAll` comes from vitest's globals.
Object.assign(globalThis, { jest: vi });
