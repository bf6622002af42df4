/** Fails every test with a request or response that does not match the OpenAPI document (described.ts). Loaded once for each test file. */
import '../../scripts/quick-modules.ts';
import { join } from 'node:path';
import { afterEach, expect, inject } from 'vitest';
import { takeWrong } from './described.ts';

// What one child process has compiled, the next one loads. Not for this process itself, whose coverage would be less exact.
process.env['NODE_COMPILE_CACHE'] = join(inject('scratch'), 'compiled');

afterEach(() => expect(takeWrong(), 'exchanges that are not as described').toEqual([]));
