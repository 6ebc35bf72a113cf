// The one error class for mistakes that a user can make and mend.

/**
 * A mistake outside the program: a missing file, a wrong flag, an unusable data set. The message is one
 * line that names the thing and the mend; the command line prints it without a stack trace.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}
