/*
 * threads.h - a team of threads that run the same function over shares of a job.
 *
 *     struct team *team = team_new(2);
 *     team_run(team, work, &job);            // work(&job, 0) here, work(&job, 1) there; returns when all have
 *     team_free(team);
 *
 * For training and vocabulary learning: fork and join, many times a second,
 * without starting threads. The caller is member 0. Members share nothing but
 * the job; what each writes is visible to the caller when team_run returns.
 */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

struct team;

struct team *team_new(int size);   // NULL: no memory or no threads; size >= 1
void team_free(struct team *team); // NULL is fine
int team_size(const struct team *team);
void team_run(struct team *team, void (*work)(void *job, int member), void *job);

int threads_available(void); // cores this process may run on, at least 1

#endif
