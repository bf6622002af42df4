/** No test passes that had an exchange which is not as the OpenAPI document says (described.ts). Read once for each test file. */
import '../../scripts/quick-modules.ts';
import { afterEach, expect } from 'vitest';
import { takeWrong } from './described.ts';

afterEach(() => expect(takeWrong(), 'exchanges that are not as described').toEqual([]));
