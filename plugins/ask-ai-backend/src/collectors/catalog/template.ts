import type { Entity } from '@backstage/catalog-model';

type JsonObject = NonNullable<Entity['spec']>;
type JsonValue = JsonObject[string];

/** What a software template asks for and does, by the titles of its parameters and steps. */
export function templateSections({
  kind,
  metadata,
  spec,
}: Entity): { heading: string; text: string }[] {
  if (kind.toLowerCase() !== 'template') {
    return [];
  }
  const parameters = [spec?.parameters].flat().filter(isObject).flatMap(parameterLines);
  const steps = [spec?.steps].flat().filter(isObject).flatMap(stepLine);
  return [
    {
      heading: 'Parameters',
      text: listUnder(`The template ${metadata.name} asks for:`, parameters),
    },
    { heading: 'Steps', text: listUnder(`The template ${metadata.name} does this:`, steps) },
  ];
}

function parameterLines(page: JsonObject): string[] {
  const properties = isObject(page.properties) ? page.properties : {};
  const lines = Object.entries(properties).map(([name, value]) => {
    const property = isObject(value) ? value : {};
    return sentenceOf([textOf(property.title) ?? name, textOf(property.description)]);
  });
  const title = sentenceOf([textOf(page.title), textOf(page.description)]);
  return title === '' ? lines : [title, ...lines.map(line => `  - ${line}`)];
}

function stepLine(step: JsonObject): string[] {
  const line = textOf(step.name) ?? textOf(step.id) ?? '';
  const action = textOf(step.action);
  return line === '' && action === undefined ? [] : [action ? `${line} (${action})`.trim() : line];
}

function listUnder(introduction: string, lines: string[]): string {
  const items = lines.map(line => (line.startsWith('  - ') ? line : `- ${line}`));
  return items.length > 0 ? `${introduction}\n\n${items.join('\n')}` : '';
}

function sentenceOf(parts: (string | undefined)[]): string {
  return parts.filter(Boolean).join(': ');
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
