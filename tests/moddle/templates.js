// Checks element templates as Camunda Modeler does when it loads them: [template, …] in, [[error, …], …] out.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { validateAll } = createRequire(import.meta.url)('@bpmn-io/element-templates-validator');

const { results } = validateAll(JSON.parse(readFileSync(0, 'utf8')));
process.stdout.write(JSON.stringify(results.map(({ valid, errors }) => (valid ? [] : errors.map(({ message }) => message)))));
