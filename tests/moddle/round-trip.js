// Reads and writes diagrams as Camunda Modeler does when it saves: {name: xml} in, {name: {xml, warnings}} out.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { BpmnModdle } from 'bpmn-moddle';

const camunda = createRequire(import.meta.url)('camunda-bpmn-moddle/resources/camunda.json');

const saved = {};
for (const [name, xml] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  const moddle = new BpmnModdle({ camunda });
  const { rootElement, warnings } = await moddle.fromXML(xml);
  saved[name] = { ...(await moddle.toXML(rootElement, { format: true })), warnings: warnings.map(String) };
}
process.stdout.write(JSON.stringify(saved));
