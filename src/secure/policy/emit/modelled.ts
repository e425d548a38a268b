/** What stands on top of texts for systems that this project has not run: what they mean is taken from their documentation. */
export const modelled =
  'Modelled, not executed: what this means was taken from the documentation of the target and was not tried on it.';
