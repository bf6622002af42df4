import * as z from 'zod';
import { codes } from './problem.ts';

export const problemCode = z.enum(codes);
