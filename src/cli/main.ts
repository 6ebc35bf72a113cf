#!/usr/bin/env node
// The file that is started: it loads little, so that one line can say why the rest cannot be loaded.
import { report } from './output.js';
import { requireResources } from './resources.js';

try {
  requireResources();
  await import('./program.js');
} catch (error) {
  process.exitCode = report(error);
}
