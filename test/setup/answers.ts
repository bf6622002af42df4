/** No test passes whose gateway answered otherwise than it describes (described.ts). Read once for each test file. */
import { afterEach, expect } from 'vitest';
import { takeWrong } from './described.ts';

afterEach(() => expect(takeWrong(), 'answers that are not as described').toEqual([]));
