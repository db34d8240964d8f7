"""An AWS on loopback to apply Terraform to: moto's server, taught what it lacks.

moto forgets some of what it is told and leaves out what AWS fills in, and either shows in the next plan. Each file
named after a service of AWS closes such gaps, and each gap's function says what is missing and which page of AWS's
documentation says what the true answer is.
"""
