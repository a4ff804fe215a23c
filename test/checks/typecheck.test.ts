import { test } from 'vitest';
import { passes } from './check.ts';

test('the types of all sources and tests are right', () => passes('typecheck'));
