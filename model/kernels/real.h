/*
 * real.h - the number the model computes with: float in the programs, double
 * in the tests that compare gradients and reference values to 1e-9.
 */
#ifndef MODEL_KERNELS_REAL_H
#define MODEL_KERNELS_REAL_H

#ifdef VERSO_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
