import { test } from 'vitest';
import { passes } from './check.ts';

test('all files are formatted, and the linter has no complaint', () => passes('lint'));
