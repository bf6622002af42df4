/** Fails every test with a request or response that does not match the OpenAPI document (described.ts). Loaded once for each test file. */
import { join } from 'node:path';
import { afterEach, expect, inject } from 'vitest';
import { takeWrong } from './described.ts';

// Child processes share a compile cache. This process does not use that cache, because it would make the coverage less exact.
process.env['NODE_COMPILE_CACHE'] = join(inject('scratch'), 'compiled');

afterEach(() => expect(takeWrong(), 'requests or responses that do not match the OpenAPI document').toEqual([]));
