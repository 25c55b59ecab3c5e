/** Loaded with `--import` before a program: a package that makes system calls is not installed, as far as it can tell. */
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'koffi') return next(specifier, context);
    throw new Error("Cannot find package 'koffi'");
  },
});
